/** Why a claim can't adopt an object in which something would remain that the claim does not render. */
export const leftover = (extra: string | undefined): string | undefined =>
  extra && `It has ${extra}, which would remain next to what the claim renders: eds migrate prints the command that removes it.`
