#!/bin/bash
# clusteradm init [--bundle-version=VERSION] [--image-registry=REGISTRY]: what it renders is OCM's own chart.
set -e -o pipefail
if [ "$1" != init ]; then
  echo "Error: unknown command \"$1\" for \"clusteradm\"" >&2
  exit 1
fi
version=v1.0.0
registry=quay.io/open-cluster-management
for word in "$@"; do
  case $word in
    --bundle-version=*) version=${word#*=} ;;
    --help) exit 0 ;;
    --image-registry=*) registry=${word#*=} ;;
  esac
done
chart=$(dirname "$0")/$version/cluster-manager
kubectl apply --server-side -f "$chart/crds"
kubectl wait --for=condition=Established --timeout=60s -f "$chart/crds"
echo 'CRD successfully registered.'
kubectl create namespace open-cluster-management --dry-run=client -o yaml | kubectl apply --server-side -f -
helm template cluster-manager "$chart" --namespace open-cluster-management \
  --set "createBootstrapSA=true,replicaCount=1,images.tag=$version,images.registry=$registry" | kubectl apply --server-side -f -
kubectl -n open-cluster-management rollout status deployment/cluster-manager --timeout=300s
echo 'Registration operator is now available.'
kubectl wait --for=condition=Applied --timeout=300s clustermanager/cluster-manager
for each in registration-controller registration-webhook placement-controller work-webhook; do
  kubectl -n open-cluster-management-hub rollout status "deployment/cluster-manager-$each" --timeout=300s
done
echo 'ClusterManager registration is now available.'
echo 'The multicluster hub control plane has been initialized successfully!'
