/** Why an object can't be taken over if something would stay in it that the claim does not ask for. */
export const leftover = (extra: string | undefined): string | undefined =>
  extra && `It has ${extra}, which would stay beside what the claim makes: eds migrate prints the command that mends this first.`
