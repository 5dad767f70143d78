/**
 * The addresses of the planes on one machine, each with a number that no other plane has. In Kubernetes, nodes and pods are
 * 10.77.PLANE.N, and Services 10.98.PLANE.N. On this machine, a pod's own address is 127.77.PLANE.N, which the programs' overlay knows.
 */

/** The node of a plane: its API server on port 6443, its kubelet and its NodePorts. */
export const nodeAddress = (plane: number): string => `10.77.${plane}.1`;

/** The nth pod of a plane, from 2 to 254. */
export const podAddress = (plane: number, n: number): string => `10.77.${plane}.${n}`;

/** The range of a plane's Services. */
export const serviceRange = (plane: number): string => `10.98.${plane}.0/24`;

/** The Service `kubernetes` of a plane. */
export const apiServerAddress = (plane: number): string => `10.98.${plane}.1`;

/** The Service `kube-dns` of a plane. */
export const dnsAddress = (plane: number): string => `10.98.${plane}.10`;

/** Registries and chart servers. */
export const internetAddress = '10.77.254.1';

/** Where an address of a pod is on this machine. */
export const hostOf = (address: string): string => address.replace(/^10\./, '127.');

/** Where a port of a pod is on this machine (overlay/syscall.go.txt). */
export const portOf = (port: number): number => (port < 12_000 ? port + 20_000 : port);
