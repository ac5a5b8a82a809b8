# The tests of the room talk to the fake API server.
check-watchers: | $(B)/tests/fake_apiserver
