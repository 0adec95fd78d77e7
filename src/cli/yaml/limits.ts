/** Of nested maps and lists. Manifests stay far below, and a call stack allows far more. */
export const MAX_LEVELS = 100
