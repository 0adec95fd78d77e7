/** The key of the resource that owns the replica count of a Deployment. */
export const SCALER_KEY = 'scaledobject'
