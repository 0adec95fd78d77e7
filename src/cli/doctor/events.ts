// The fields that events of both APIs share.
import { type JsonObject, nonEmptyText } from '../../kubernetes/json.ts'

/** Events of events.k8s.io leave lastTimestamp empty. */
export const timeOf = ({ lastTimestamp, eventTime }: JsonObject) => nonEmptyText(lastTimestamp) ?? nonEmptyText(eventTime) ?? ''
