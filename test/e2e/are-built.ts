// Exits with 0 if all programs are in the cache. A program is the folder of its go.mod below test/e2e, with :NAME if it has several.
import { isBuilt } from './go-tools.ts'

const programs = process.argv.slice(2).map(text => text.split(':'))
const built = await Promise.all(programs.map(([module = '', program]) => isBuilt(module, program)))
process.exitCode = built.every(Boolean) ? 0 : 1
