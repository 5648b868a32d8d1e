import { createTheme, defaultVariantColorsResolver, type VariantColorsResolver } from '@mantine/core';

/** A button is the one primary action of a view, or a plain one; both in the roles of look/tokens.css. */
const variantColorResolver: VariantColorsResolver = (input) => {
  if (input.variant === 'filled') {
    const filled = { background: 'var(--action)', hover: 'var(--action-hover)', color: 'var(--on-action)' };
    return { ...filled, border: '1px solid var(--action)' };
  }
  if (input.variant === 'default') {
    const plain = { background: 'var(--raised)', hover: 'var(--line)', color: 'var(--ink)' };
    return { ...plain, border: '1px solid var(--edge)' };
  }
  return defaultVariantColorsResolver(input);
};

/** What Mantine's components need to be told by script; sizes and the rest stand in look.css. */
export const theme = createTheme({
  variantColorResolver,
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { variant: 'filled' } },
    Modal: {
      defaultProps: {
        centered: true,
        size: 'lg',
        // locking the page's scroll would need a style element, which the policy forbids
        lockScroll: false,
        transitionProps: { duration: 0 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
    },
    SegmentedControl: { defaultProps: { transitionDuration: 0 } },
  },
});
