/** The text with a full stop at its end, because other programs' messages have one or not. */
export const withFullStop = (text: string): string => text.replace(/\.?$/, '.')
