// Cleans up after its parent process, even after kill -9: reads `+PID` and `-PID` lines, and when its input ends, ends every
// listed process and removes the given folder, unless a line is `keep`.
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
