import type { Program } from '../../core/program.ts';

/**
 * 3.14 is the oldest version that can keep the values of a release and use the defaults of a newer chart
 * (--reset-then-reuse-values).
 */
export const helmProgram: Program = {
  name: 'helm',
  minimum: '3.14.0',
  get: 'https://helm.sh/docs/intro/install/',
  versionArguments: ['version', '--template', '{{.Version}}'],
};

/** The providers' programs. Their oldest versions are those that KubeStellar requires. */
export const kindProgram: Program = {
  name: 'kind',
  minimum: '0.20.0',
  get: 'https://kind.sigs.k8s.io/docs/user/quick-start/#installation',
  versionArguments: ['version'],
};

export const k3dProgram: Program = {
  name: 'k3d',
  minimum: '5.7.4',
  get: 'https://k3d.io/stable/#installation',
  versionArguments: ['version'],
};

/** The container engine of kind and k3d. */
export const dockerProgram: Program = {
  name: 'docker',
  minimum: '20.0.0',
  get: 'https://docs.docker.com/engine/install/',
  versionArguments: ['--version'],
};
