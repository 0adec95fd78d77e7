const { cloudEvent } = require('@google-cloud/functions-framework')
const handle = require('./handle.cjs')

cloudEvent('handle', handle)
