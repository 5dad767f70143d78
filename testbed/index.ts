/** The parts of the bed for tests, benchmarks and the quickstart; test/ imports from no other file of it. */
export { type Bed, startBed } from './bed.ts';
export { type JudgedServer, judgedServers } from './certificates/make.ts';
export { chartOf, ingressChart, retiredIngressChart } from './charts/chart-of.ts';
export { type ChartVersionName, currentChart, versionOf } from './charts/versions.ts';
export { type FoundProgram, findProgram } from './debian/find-program.ts';
export { type Fault, pods as faultyPods } from './faults/fault.ts';
export { registrationFaults } from './faults/registered.ts';
export { spaceFaults } from './faults/spaces.ts';
export { readByGo, writtenByGo } from './go-yaml/read.ts';
export { askForForeignCertificate } from './helpers/foreign-certificate.ts';
export { chartObjects, installKlusterlet, installOperator } from './helpers/installer.ts';
export { linkKubectl, runKubectl } from './helpers/kubectl.ts';
export * from './helpers/requests.ts';
export * from './helpers/share-cache.ts';
export * from './helpers/tokens.ts';
export * from './helpers/users.ts';
export * from './helpers/wds.ts';
export * from './helpers/wipe.ts';
export * from './helpers/workload.ts';
export * from './helpers/written-workloads.ts';
export { Api } from './kube/api.ts';
export { apply } from './kube/apply.ts';
export { discover } from './kube/discovery.ts';
export { ApiError } from './kube/errors.ts';
export { type Entry, kubeconfigOf } from './kube/kubeconfig.ts';
export type {
  AnyObject,
  CertificateSigningRequest,
  Deployment,
  KubeObject,
  ManagedCluster,
  ManifestWork,
  Pod,
} from './kube/objects.ts';
export type { Resource } from './kube/resources.ts';
export * as resources from './kube/resources.ts';
export * from './kube/until.ts';
export { buildKubeStateMetrics } from './kube-state-metrics/build.ts';
export {
  installKubeFlexOnly,
  installKubeStellar,
  type KubeStellarOptions,
  runHelm,
} from './kubestellar/install.ts';
export { type LocalClusterTools, localClusterTools } from './local-clusters/tools.ts';
export { crd, managedCrds } from './ocm/crds.ts';
export { ocmVersion } from './ocm/hub.ts';
export { rule } from './ocm/rbac.ts';
export { type AuditEvent, isRead } from './plane/audit.ts';
export { Authority } from './plane/pki.ts';
export type { Plane } from './plane/plane.ts';
export { freePort } from './plane/ports.ts';
export { buildHelm } from './programs/build.ts';
export type { StubLoad } from './stub-wecs/server.ts';
export { StubWecs } from './stub-wecs/stub-wecs.ts';
