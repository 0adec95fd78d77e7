/** Of nested maps and lists. Manifests stay well below, and a call stack bears far more. */
export const MOST_LEVELS = 100
