const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

export type Paint = (style: keyof typeof codes, text: string) => string

/** Colors text, or returns it unchanged. */
export const painter = ({ color }: { readonly color: boolean }): Paint =>
  color ? (style, text) => `\u001B[${codes[style][0]}m${text}\u001B[${codes[style][1]}m` : (_style, text) => text
