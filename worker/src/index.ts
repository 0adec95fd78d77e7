export * from './cloudevents/index.ts'
