/** The result of checking one part of the cluster. */
export interface Check {
  /** The part that was checked, such as `Crossplane`. */
  readonly name: string
  /** `unknown`: doctor cannot check it from here. `unneeded`: no given claim needs it. */
  readonly state: 'well' | 'wrong' | 'unknown' | 'unneeded'
  readonly message: string
  /** The command that fixes it or shows more. */
  readonly fix?: string
}

export const well = (name: string, message: string): Check => ({ name, state: 'well', message })
export const wrong = (name: string, message: string, fix: string): Check => ({ name, state: 'wrong', message, fix })
export const unneeded = (name: string, message: string): Check => ({ name, state: 'unneeded', message })
export const unknown = (name: string, message: string, fix?: string): Check => ({
  name,
  state: 'unknown',
  message,
  ...(fix !== undefined && { fix }),
})
