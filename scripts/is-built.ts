// Exits with 0 if the program that test/e2e/<module> pins is in the cache.
import { isBuilt } from '../test/e2e/go-tools.ts'

process.exitCode = (await isBuilt(process.argv[2] ?? '')) ? 0 : 1
