import { serve } from '../../dist/index.js'
import handle from './handle.cjs'

await serve({ handler: handle, env: { PORT: process.env.PORT } })
