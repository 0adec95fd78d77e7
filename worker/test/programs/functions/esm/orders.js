// Everything that a repository of a function needs.
export const retry = { backoff: () => '50ms' }
export const concurrency = 3

export async function handler({ data }, { attempt, log }) {
  if (attempt === 1) throw new Error('not yet')
  log.info('done', { order: data.order })
}
