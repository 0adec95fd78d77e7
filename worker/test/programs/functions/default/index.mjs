// biome-ignore lint/style/noDefaultExport: a module may have one
export default () => undefined
