/** The flags of `registration agent` and `registration-operator agent` that the stand-in supports (ocm pkg/common/options). */
export interface AgentOptions {
  /** Of its own cluster; undefined for that of its pod. */
  kubeconfig: string | undefined;
  clusterName: string | undefined;
  agentId: string | undefined;
  bootstrapKubeconfig: string;
  externalServerUrls: string[];
  certificateSeconds: number;
  clusterAnnotations: Record<string, string>;
}

export function agentOptions(args: readonly string[]): AgentOptions {
  const values = (name: string) =>
    args.filter((arg) => arg.startsWith(`--${name}=`)).map((arg) => arg.slice(name.length + 3));
  const value = (name: string) => values(name).at(-1) || undefined;
  return {
    kubeconfig: value('kubeconfig'),
    clusterName: value('spoke-cluster-name'),
    agentId: value('agent-id'),
    bootstrapKubeconfig: value('bootstrap-kubeconfig') ?? '/spoke/bootstrap/kubeconfig',
    externalServerUrls: values('spoke-external-server-urls').filter(Boolean),
    certificateSeconds: Number(value('client-cert-expiration-seconds') ?? 0),
    clusterAnnotations: Object.fromEntries(
      values('cluster-annotations').map((pair) => pair.split('=') as [string, string]),
    ),
  };
}
