declare module 'virtual:examples' {
  export const examples: readonly import('../../build/examples.ts').Example[]
  export const manifests: string
  export const input: string
}
