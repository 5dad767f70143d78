#!/bin/bash
# `k3s server`, as far as vcluster's chart calls it: a control plane of the bed's Kubernetes, and in the same pod a node for its pods, where
# vcluster's syncer would run them on the hosting cluster. TLS_NAMES: further names of its certificate, separated by commas.
set -e
data=/data
out=/data/k3s-config/kube-config.yaml
for word in "$@"; do
  case $word in
    --data-dir=*) data=${word#*=} ;;
    --write-kubeconfig=*) out=${word#*=} ;;
  esac
done
port=8443
pods=10.42.0.0/24
services=10.43.0.0/16
version=$(cat /kind/version)
address=$(hostname -I | cut -d' ' -f1)
pki=$data/pki
configs=$data/kubeconfigs
mkdir -p "$pki" "$configs" "$(dirname "$out")"

# The address of the pod is another one after each start.
rm -f "$pki"/apiserver.{crt,key} "$configs"/*
about=(--cert-dir "$pki" --kubernetes-version "$version" --apiserver-advertise-address "$address")
quietly() { "$@" > /dev/null 2>&1 || "$@"; }
quietly kubeadm init phase certs all "${about[@]}" --service-cidr $services \
  --apiserver-cert-extra-sans "localhost,127.0.0.1,$TLS_NAMES"
about+=(--kubeconfig-dir "$configs" --apiserver-bind-port $port)
for user in super-admin controller-manager scheduler; do quietly kubeadm init phase kubeconfig $user "${about[@]}"; done
quietly kubeadm init phase kubeconfig kubelet "${about[@]}" --node-name vcluster
sed -i "s|server: .*|server: https://127.0.0.1:$port|" "$configs"/*.conf

etcd --data-dir "$data/etcd" --unsafe-no-fsync --log-level warn --listen-peer-urls http://127.0.0.1:2380 \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 &
kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=$port --advertise-address="$address" --allow-privileged \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
  --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local --service-cluster-ip-range=$services \
  --authorization-mode=Node,RBAC --enable-bootstrap-token-auth --kubelet-preferred-address-types=InternalIP \
  --kubelet-client-certificate="$pki/apiserver-kubelet-client.crt" --kubelet-client-key="$pki/apiserver-kubelet-client.key" \
  --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
  --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
  --requestheader-username-headers=X-Remote-User \
  --proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" &
admin=$configs/super-admin.conf
until kubectl --kubeconfig "$admin" get --raw /readyz > /dev/null 2>&1; do sleep 0.3; done
# The group of the API server as a client of kubelets (kubeadm).
kubectl --kubeconfig "$admin" create clusterrolebinding kubeadm --clusterrole=cluster-admin --group=kubeadm:cluster-admins || true
controllers=$configs/controller-manager.conf
kube-controller-manager --kubeconfig="$controllers" --authentication-kubeconfig="$controllers" \
  --authorization-kubeconfig="$controllers" --root-ca-file="$pki/ca.crt" --service-account-private-key-file="$pki/sa.key" \
  --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" --use-service-account-credentials \
  --leader-elect=false &
kube-scheduler --kubeconfig="$configs/scheduler.conf" --leader-elect=false &

# The node. Nobody manages cgroups in a pod, and a hook of kind is for its own nodes.
jq 'del(.hooks)' /etc/containerd/cri-base.json > /run/cri-base.json && cp /run/cri-base.json /etc/containerd/cri-base.json
sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' /etc/containerd/config.toml
sed -i 's|10\.244\.0\.0/24|'$pods'|' /etc/cni/net.d/*.conflist
containerd > /var/log/containerd.log 2>&1 &
cat > /run/kubelet.yaml <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, x509: {clientCAFile: $pki/ca.crt}}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
clusterDomain: cluster.local
clusterDNS: [$(sed -n 's/^nameserver //p' /etc/resolv.conf | head -1)]
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
evictionHard: {nodefs.available: 0%, imagefs.available: 0%}
failSwapOn: false
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
EOF
kubelet --config=/run/kubelet.yaml --kubeconfig="$configs/kubelet.conf" --hostname-override=vcluster > /var/log/kubelet.log 2>&1 &
kube-proxy --kubeconfig="$admin" --cluster-cidr=$pods --proxy-mode=iptables --conntrack-max-per-core=0 \
  --conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s > /var/log/kube-proxy.log 2>&1 &
cp "$admin" "$out"
wait -n
exit 1
