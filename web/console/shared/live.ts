/** How a view that shows a moving state keeps up: asks again every few seconds while somebody looks. */
export const LIVE = { pollingInterval: 4_000, skipPollingIfUnfocused: true } as const;
