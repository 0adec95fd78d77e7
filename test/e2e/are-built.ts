// Exits with 0 if all programs are in the cache. A program is the folder of its go.mod below test/e2e, with :NAME if it has several, and
// with @pod if pods run it.
import { isBuilt } from './go-tools.ts'

const built = await Promise.all(
  process.argv.slice(2).map(text => {
    const [named = '', place] = text.split('@')
    const [module = '', program] = named.split(':')
    return isBuilt(module, program, place === 'pod' ? place : 'process')
  }),
)
process.exitCode = built.every(Boolean) ? 0 : 1
