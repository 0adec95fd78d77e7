/** One thing that was looked at. */
export interface Check {
  /** What was looked at, such as `Crossplane`. */
  readonly name: string
  /** `unknown`: it can't be told from here. `unneeded`: nothing that was asked about needs it. */
  readonly state: 'well' | 'wrong' | 'unknown' | 'unneeded'
  readonly says: string
  /** The command that mends it, or that shows more. */
  readonly mend?: string
}

export const well = (name: string, says: string): Check => ({ name, state: 'well', says })
export const wrong = (name: string, says: string, mend: string): Check => ({ name, state: 'wrong', says, mend })
export const unneeded = (name: string, says: string): Check => ({ name, state: 'unneeded', says })
export const unknown = (name: string, says: string, mend?: string): Check => ({
  name,
  state: 'unknown',
  says,
  ...(mend !== undefined && { mend }),
})
