import { expect, test } from 'vitest'
import { blockerOf } from '../../tools/claim-state.ts'
import { conditions, type Said } from '../fixtures/resolved-claim.ts'

test.each<{ title: string; said: Said[]; blocker: string | undefined }>([
  { title: 'nothing if the claim is ready', said: [['Ready', 'True', 'Available']], blocker: undefined },
  { title: 'new if nothing is reported yet', said: [], blocker: 'new' },
  {
    title: "Crossplane's reason if the claim's own conditions are true",
    said: [
      ['Ready', 'False', 'Creating'],
      ['WorkloadReady', 'True', 'Available'],
    ],
    blocker: 'Creating',
  },
  {
    title: "the reason of the first of the claim's own conditions that is false",
    said: [
      ['Ready', 'False', 'Creating'],
      ['EventingReady', 'False', 'KindUnknown'],
      ['ScalingReady', 'False', 'TriggerError'],
      ['WorkloadReady', 'True', 'Available'],
    ],
    blocker: 'TriggerError',
  },
  {
    title: 'the reason of the PodDisruptionBudget',
    said: [
      ['Ready', 'False', 'Creating'],
      ['AvailabilityReady', 'False', 'NameTaken'],
    ],
    blocker: 'NameTaken',
  },
])('names $title', ({ said, blocker }) => {
  expect(blockerOf({ status: { conditions: conditions(...said) } })).toBe(blocker)
})
