import { createHash } from 'node:crypto';
import { defineConfig, type Plugin } from 'vite';

/** The policy of the page: its own script and style, told by their hashes, and nothing from anywhere. */
function policy(script: string, style: string): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    'img-src data:',
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Put script and style into the page, so that it is one file that can be kept beside a release and opened as it lies. */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_, bundle) {
      const all = Object.values(bundle);
      const [chunk, another] = all.filter((one) => one.type === 'chunk');
      const asset = (ending: string) =>
        all.flatMap((one) => (one.type === 'asset' && one.fileName.endsWith(ending) ? [one] : []));
      const [[page], [sheet], [icon]] = [asset('.html'), asset('.css'), asset('.svg')];
      if (!page || !sheet || !icon || !chunk || another || all.length !== 4) {
        this.error(
          `a page, a script, a style and an icon were wanted, but there are ${all.map(({ fileName }) => fileName)}`,
        );
      }
      const script = chunk.code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--').trim();
      const style = String(sheet.source).trim();
      const meta = `<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}" />`;
      page.source = String(page.source)
        .replace(/<script[^>]*src=[^>]*><\/script>/, () => `<script type="module">${script}</script>`)
        .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${style}</style>`)
        .replace(`./${icon.fileName}`, `data:image/svg+xml;base64,${Buffer.from(icon.source).toString('base64')}`)
        .replace('<meta charset="utf-8" />', (first) => `${first}\n    ${meta}`);
      for (const { fileName } of [chunk, sheet, icon]) delete bundle[fileName];
    },
  };
}

export default defineConfig({
  base: './',
  publicDir: false,
  plugins: [oneFile()],
  build: {
    outDir: '../../src/thresher/server/static/verifier',
    emptyOutDir: true,
    target: ['chrome107', 'safari16', 'firefox104'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 100_000,
    reportCompressedSize: false,
  },
});
