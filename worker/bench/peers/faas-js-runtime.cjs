const { start } = require('faas-js-runtime')
const handle = require('./handle.cjs')

start({ handle: (_, event) => handle(event) }, { port: Number(process.env.PORT), logLevel: 'silent' })
