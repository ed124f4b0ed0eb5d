# API 参考。各操作与字段的说明来自 API 描述，为英文。
reference-title = API 参考
reference-lead = 页面上能做的一切，程序也都能做。
reference-how = 概要
reference-sign-in = 认证方式：Basic（用户名，加上密码或访问令牌）或 Bearer（仅访问令牌）。
reference-pages = 列表分页返回：limit 指定每页数量，after 填写上一页返回的 next。
reference-errors = 被拒绝的请求以问题文档（RFC 9457）返回：状态、标题和一句说明。
reference-once = 带有 Idempotency-Key 的 POST 请求，无论发送多少次都只执行一次。
reference-openapi = OpenAPI 3.1 描述文件
reference-groups = 操作分组
reference-name = 名称
reference-type = 类型
reference-meaning = 说明
reference-required = 必填
reference-parameters = 参数
reference-body = 请求体：
reference-shapes = 类型
