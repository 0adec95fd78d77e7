// The repositories of the tests.
import { BASE_IMAGE } from './images.ts'

// The first process of a container gets SIGTERM only if it asks for it.
const START = "#!/bin/sh\ntrap 'exit 0' TERM\nhttpd -f -p $PORT -h /www &\nwait\n"

/** A server that answers with this text, and how its image is built. */
export const app = (text: string) => ({
  Dockerfile: `FROM ${BASE_IMAGE}\nCOPY www /www\nCOPY start.sh /\nRUN sh -n /start.sh\nENTRYPOINT ["/bin/sh", "/start.sh"]\n`,
  'start.sh': START,
  'www/index.html': text,
  'www/health': 'ok',
  'www/ready': 'ok',
})

/** The same, which takes this long to build. */
export const slowly = (files: ReturnType<typeof app>, seconds: number) => ({
  ...files,
  Dockerfile: files.Dockerfile.replace('ENTRYPOINT', `RUN sleep ${seconds}\nENTRYPOINT`),
})

export const broken = { Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo the compiler says no && false\n` }

/** Its build needs more memory than there is. */
export const hungry = { Dockerfile: `FROM ${BASE_IMAGE}\nRUN tail /dev/zero\n` }

/** A repository that only exports a handler, which says this word for each event. There is no stream for dead letters. */
export const handler = (word: string) => ({
  'package.json': JSON.stringify({ type: 'module', main: 'index.js' }),
  'index.js': `export const retry = { deadLetter: false }
export const handler = ({ data }, { log }) => log.info(${JSON.stringify(word)}, { order: data.order })
`,
})
