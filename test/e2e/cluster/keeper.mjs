// Outlives whoever started it, by a moment: reads `+PID` and `-PID` lines, and once they end, however that came, ends every
// process that is still listed and removes the folder given, unless a line said `keep`. So nothing is left behind, not even by a
// kill -9.
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const GRACE_MS = 5_000
const [folder] = process.argv.slice(2)
const pids = new Set()
let keep = false

const send = signal => {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      pids.delete(pid)
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1))
  if (line === 'keep') keep = true
  else if (line.startsWith('+')) pids.add(pid)
  else pids.delete(pid)
}
send('SIGTERM')
const until = Date.now() + GRACE_MS
while (pids.size > 0 && Date.now() < until) {
  await new Promise(resolve => setTimeout(resolve, 100))
  send(0)
}
send('SIGKILL')
if (!keep) rmSync(folder, { recursive: true, force: true })
