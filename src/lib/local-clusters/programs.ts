import type { Program } from '../programs/program.ts';

/** The programs that make clusters on this machine. The oldest versions are those that KubeStellar itself asks for. */
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

/** What kind and k3d run their nodes in. */
export const dockerProgram: Program = {
  name: 'docker',
  minimum: '20.0.0',
  get: 'https://docs.docker.com/engine/install/',
  versionArguments: ['--version'],
};
