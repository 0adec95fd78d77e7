export const handle = () => undefined
