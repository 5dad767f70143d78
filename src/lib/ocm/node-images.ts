/**
 * The images of nodes on which the vcluster of KubeFlex runs. That of kind is of its release 0.26.0, the last one before containerd 2,
 * which older releases of kind cannot load images into; that of k3d is what KubeStellar pins.
 */
export const nodeImages = {
  kind: 'kindest/node:v1.31.4@sha256:2cb39f7295fe7eafee0842b1052a599a4fb0f8bcf3f83d96c7f4864c357c6c30',
  k3d: 'rancher/k3s:v1.32.13-k3s1',
} as const;
