/**
 * The stages of a registration in the order of events, for help, which loads only these. Each has an entry in the table of
 * registration-stages.ts.
 */
export const registrationStageIds = [
  'bootstrap-secret',
  'klusterlet-applied',
  'hub-reachable',
  'managed-cluster',
  'request',
  'approved',
  'issued',
  'hub-secret',
  'accepted',
  'connected',
  'joined',
  'available',
] as const;

export type RegistrationStageId = (typeof registrationStageIds)[number];
