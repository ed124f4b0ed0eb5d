# The first steps of somebody new.
welcome-title = First steps
welcome-hello = Welcome, { $name }
welcome-lead = Two commands on your own machine, and this page notices when each has worked.
welcome-done = done
welcome-waiting = waiting
welcome-login = Log in with Docker
welcome-login-text = Type this where you work, and your password when it asks for it:
welcome-login-token = Rather than the password, use one of your
welcome-login-seen = Your login arrived:
welcome-insecure = This site speaks plain HTTP. Docker takes that from its own machine alone, unless its configuration (daemon.json) says:
welcome-push = Push an image
welcome-push-text = Any image will do. It is private until you decide otherwise.
welcome-push-seen = Your image is here:
welcome-watches = This page looks by itself.
welcome-reload = Look again
welcome-finished = That is all: you can push and pull.
