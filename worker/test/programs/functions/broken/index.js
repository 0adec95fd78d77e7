import './missing.js'

export const handler = () => undefined
