// Builds all programs and images, because the namespaces of the suite have no network to download from.
import { createProgress } from '../cluster/progress.ts'
import { buildImages } from './images.ts'
import { buildPrograms } from './programs.ts'

const progress = createProgress(process.stderr)
await buildImages(await buildPrograms(progress))
progress.end()
