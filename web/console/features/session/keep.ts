/** The token lives as long as the tab: taken out of the link once, and out of the address at once. */

const KEY = 'thresher.token';

/** The token of the link this page was opened by, or the one this tab already has. */
export function tokenOfPage(view: Window): string {
  const address = new URL(view.location.href);
  const given = address.searchParams.get('token');
  if (given === null) return read();
  address.searchParams.delete('token');
  view.history.replaceState(view.history.state, '', address);
  keep(given);
  return given;
}

export function keep(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // without storage the token holds until the page is reloaded
  }
}

export function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // nothing was kept then
  }
}

function read(): string {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}
