# 新用户的入门步骤。
welcome-title = 快速入门
welcome-hello = 欢迎，{ $name }
welcome-lead = 在您自己的机器上完成两个步骤，每一步成功后，本页面都会自动显示。
welcome-done = 已完成
welcome-waiting = 等待中
welcome-login = 使用 Docker 登录
welcome-login-text = 在您的机器上执行以下命令，并在提示时输入密码：
welcome-login-token = 建议使用访问令牌代替密码：
welcome-login-seen = 已检测到登录：
welcome-insecure = 本站使用未加密的 HTTP。除非在本机上使用，否则需要在 Docker 的配置文件（daemon.json）中加入以下内容：
welcome-push = 推送镜像
welcome-push-text = 任意镜像均可。除非您另行设置，它默认为私有。
welcome-push-seen = 已收到您的镜像：
welcome-watches = 本页面会自动更新。
welcome-reload = 刷新
welcome-finished = 一切就绪，现在可以推送和拉取镜像了。
