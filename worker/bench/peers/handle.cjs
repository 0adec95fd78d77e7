// What each peer does with an event: nothing, or wait. It tells the parent, so that lost events are counted.
const { TAKES_MS } = process.env

module.exports = async event => {
  if (TAKES_MS === undefined) return
  process.send?.({ started: event.id })
  await new Promise(resolve => setTimeout(resolve, Number(TAKES_MS)))
  process.send?.({ finished: event.id })
}
