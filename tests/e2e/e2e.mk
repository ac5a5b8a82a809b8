# The tests against a real kube-apiserver and etcd (tests/e2e/run.sh says how). Variables of its own reach the
# script through the environment: KUBEBUILDER_ASSETS, TALLY, E2E_RUN, E2E_SEED.
.PHONY: e2e
e2e: all ## the daemon against a real kube-apiserver and etcd (says so when it cannot)
	$(Q)E2E_BUILD=$(B) tests/e2e/run.sh
