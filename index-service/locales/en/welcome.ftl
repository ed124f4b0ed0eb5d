# The first steps of somebody new.
welcome-title = First steps
welcome-hello = Welcome, { $name }
welcome-lead = Two steps on your own machine. This page notices when each of them has worked.
welcome-done = done
welcome-waiting = waiting
welcome-login = Log in with Docker
welcome-login-text = Run this on your machine, and type your password when asked:
welcome-login-token = Better than the password: one of your
welcome-login-seen = You logged in:
welcome-insecure = This site uses plain HTTP. Docker accepts that only on the same machine, unless its configuration (daemon.json) says:
welcome-push = Push an image
welcome-push-text = Any image will do. It stays private until you decide otherwise.
welcome-push-seen = Your image has arrived:
welcome-watches = This page updates by itself.
welcome-reload = Reload
welcome-finished = That’s it. You can now push and pull.
