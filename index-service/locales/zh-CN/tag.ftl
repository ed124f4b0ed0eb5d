# 标签页与清单页。
tag-immutable = 不可变
tag-pull-digest = 按摘要精确拉取此镜像
tag-last-pull = 最近拉取
tag-media-type = 媒体类型
tag-same = 相同镜像的标签
tag-newer-title = 基础镜像已有更新。
tag-newer-text = 重新构建镜像即可获得其中的修复：
tag-platforms =
    { $n ->
       *[other] { $n } 个平台
    }
tag-platforms-caption = 此标签包含的各平台镜像
tag-platform = 平台
tag-no-platform = 未注明平台
tag-not-here = 不在此仓库中
tag-layers = 层
tag-layers-of = { $platform } 的层
tag-strip =
    { $n ->
       *[other] { $n } 层，共 { $size }
    }
tag-no-command = 镜像没有说明这一层是如何构建的。
tag-no-layers = 此镜像没有层。
tag-empty-index = 此索引没有指向仓库中的任何镜像。
tag-not-read = 此清单尚未读取，通常一秒内即可完成，请刷新页面。
tag-config = 配置
tag-entrypoint = 入口点
tag-cmd = 命令
tag-working-dir = 工作目录
tag-user = 用户
tag-stop-signal = 停止信号
tag-built = 构建时间
tag-author = 作者
tag-env = 环境变量
tag-env-hint = 仅显示名称：值可能包含机密，不会保存。
tag-ports = 端口
tag-volumes = 卷
tag-labels = 镜像标注（label）
tag-annotations = 注解
tag-attached = 签名、SBOM 与证明
tag-nothing-attached = 此镜像没有附加内容。
tag-not-verified = 按推送时的内容显示。请用您自己的工具和密钥验证签名。
tag-signature = 签名
tag-sbom = SBOM
tag-attestation = 证明
tag-other-artifact = 制品
tag-of-image = 适用于此平台
tag-kind = 种类
tag-type = 类型
tag-subject = 所属清单
tag-indexes = 所在索引
tag-manifest = 清单 { $digest }
tag-history = 变更记录
tag-no-history = 没有更早的变更记录。
tag-history-made = 已创建
tag-history-moved = 已改变指向
tag-history-pushed = 再次推送
tag-history-deleted = 已删除
tag-compare = 与其他标签对比
tag-compare-now = 与当前镜像对比
tag-restore = 恢复到 { $digest }
tag-more-history = 在仓库动态中查看更早的变更
tag-done-restored = 标签已恢复。
tag-done-deleted = 标签已删除，一段时间内可以在下方恢复。
tag-delete-title = 删除此标签
tag-delete-frees = 删除后此仓库将释放 { $bytes }。
tag-delete-link = 查看哪些内容依赖它
tag-delete-of = 删除标签 { $name }
tag-delete-text = 标签会立即删除，按名称拉取将会失败。它所指向的内容会保留一段时间，以便恢复标签。
tag-delete-immutable = 有规则将此标签设为不可变，镜像仓库服务会拒绝删除。
tag-delete-type = 输入 { $name } 以确认
tag-delete-mistyped = 输入的内容与标签名称不一致，请输入 { $name }。
tag-delete-do = 删除标签
tag-delete-not = 保留标签
tag-impact = 依赖情况
tag-impact-pulls =
    { $n ->
       *[other] 最近 { $n } 天的拉取
    }
tag-impact-frees = 删除后释放
tag-impact-storage = 其中存储释放 { $bytes }
tag-impact-clients = 客户端
tag-impact-tags = 指向同一镜像的其他标签（不受影响）
tag-impact-shared = 共享层的仓库（不受影响）
tag-delete-frees-nothing = 删除后不会释放空间：还有其他标签指向同一镜像。
