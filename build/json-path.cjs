/** Stands for jsonpath-plus, which only the logins to clouds use that are built into the Kubernetes client. */
exports.JSONPath = () => {
  throw new Error(
    "the kubeconfig's auth-provider gcp or azure is not supported, as kubectl has not supported it since 1.26: " +
      'let gke-gcloud-auth-plugin or kubelogin write one that logs in by exec',
  );
};
