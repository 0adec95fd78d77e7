// Exits with 0 if the programs of npm run test:observability are in the cache.
import { areBuilt } from './stack.ts'

process.exitCode = (await areBuilt()) ? 0 : 1
