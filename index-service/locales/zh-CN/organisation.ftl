# 组织与命名空间页面。

# 导航。
organisation-overview = 概览
organisation-profile = 资料与默认设置
organisation-members = 成员
organisation-teams = 团队
organisation-invitations = 邀请
organisation-robots = 机器人账号
organisation-tokens = 访问令牌
organisation-quota = 配额
organisation-audit = 审计日志
organisation-deleted = 已删除的仓库
organisation-leave = 退出组织

# 概览。
organisation-mine = 组织
organisation-mine-none = 您还没有加入任何组织。创建一个组织，与他人共享仓库。
organisation-you-are = 您的角色：
organisation-until = 至
organisation-repositories = 仓库
organisation-repositories-none = 还没有您可以查看的仓库。推送镜像即可创建仓库。

# 新建组织。
organisation-new = 新建组织
organisation-create = 创建组织
organisation-name = 名称
organisation-name-hint = 同时也是命名空间，镜像的名称为“组织名称/镜像名称”。创建后不可更改。
organisation-display-name = 显示名称
organisation-description = 说明
organisation-done-created = 组织已创建，您是其所有者。

# 资料。
organisation-describe = 组织资料
organisation-default-visibility = 新仓库的可见性
organisation-default-visibility-about = 今后新建的仓库采用此设置，已有仓库不受影响。

# 成员。
organisation-account = 账号
organisation-role = 角色
organisation-since = 加入时间
organisation-add = 添加
organisation-member-add = 添加成员
organisation-guest-until = 访客截止日期
organisation-roles-hint = 成员拥有规则授予的权限；访客来自组织外部，到截止日期为止；管理者负责仓库、成员和团队；所有者拥有全部权限。
organisation-role-guest = 访客
organisation-role-member = 成员
organisation-role-manager = 管理者
organisation-role-owner = 所有者
organisation-done-member-added = 已添加。
organisation-done-member-removed = 已移除。

# 成员身份结束。
organisation-remove-title = 移除 { $name }
organisation-remove-do = 从组织中移除
organisation-leave-title = 退出 { $name }
organisation-leave-do = 退出组织
organisation-last-owner = 这是最后一位可以登录的所有者，请先指定其他所有者。
organisation-end-what = 以下内容将随成员身份一并失效：
organisation-end-access = 成员身份带来的全部权限；此前签发的令牌将在几分钟内失效。
organisation-end-teams = 所在团队：
organisation-end-rules = { $n } 条针对此账号的规则
organisation-end-tokens = { $n } 个访问令牌的权限范围将缩小
organisation-done-left = 您已退出组织。

# 删除组织。
organisation-delete-title = 删除 { $name }
organisation-delete-about = 组织的名称今后不可再用。
organisation-delete-repositories = 仍有 { $n } 个仓库，请先删除或转移。
organisation-delete-members = { $n } 名成员将失去访问权限
organisation-delete-teams = { $n } 个团队将被删除
organisation-delete-robots = { $n } 个机器人账号和访问令牌将停用
organisation-delete-rules = 其他命名空间针对其机器人账号的 { $n } 条规则将失效
organisation-delete-do = 删除组织
organisation-done-deleted = 组织已删除。

# 团队。
organisation-team = 团队
organisation-teams-none = 还没有团队。有了团队，一条规则即可为多人授权。
organisation-team-new = 新建团队
organisation-team-create = 创建团队
organisation-team-name = 名称
organisation-team-name-hint = 由小写字母和数字组成，可用 . _ 或 - 连接。
organisation-team-empty = 团队还没有成员。
organisation-team-add-hint = 必须是组织中的账号。
organisation-team-delete = 删除团队
organisation-team-delete-about = 针对该团队的规则和加入该团队的邀请将一并删除。
organisation-done-team-created = 团队已创建，请添加成员。
organisation-done-team-deleted = 团队已删除。

# 机器人账号与访问令牌。
organisation-robots-about = 机器人账号供 CI 等程序推送和拉取，归命名空间所有，不属于个人。
organisation-tokens-about = 组织的访问令牌。客户端使用组织名称和令牌登录。
organisation-machines-none = 尚未创建。
organisation-robot-new = 新建机器人账号
organisation-robot-create = 创建机器人账号
organisation-robot-name = 名称
organisation-robot-name-hint = 登录名为 { $name }+名称。
organisation-token-new = 新建访问令牌
organisation-token-create = 创建访问令牌
organisation-machine-label = 说明
organisation-machine-days = 有效天数
organisation-machine-name = 名称
organisation-machine-may = 权限上限
organisation-machine-used = 最近使用
organisation-machine-ends = 到期时间
organisation-machine-made = 创建时间
organisation-machine-over = 已失效
organisation-machine-username = 登录名
organisation-machine-refused = 被拒绝的次数
organisation-machine-suspended = 已停用
organisation-machine-suspend = 停用
organisation-machine-resume = 恢复
organisation-machine-networks = 仅允许从这些地址使用
organisation-machine-networks-hint = 例如 10.0.0.0/8，以空格分隔；留空表示不限。
organisation-machine-delete = 删除
organisation-machine-delete-about = 使用它登录的程序将立即无法工作，由它签发的内容也一并失效。
organisation-limit = 权限 { $n }
organisation-limit-pattern = 仓库
organisation-limit-rights = 允许
organisation-secrets = 密钥
organisation-secrets-about = 可以同时有两个有效密钥，便于更换而不中断使用。
organisation-secret-end = 立即吊销
organisation-done-secret-ended = 密钥已吊销。
organisation-done-machine-deleted = 已删除。

# 邀请。
organisation-invite = 通过链接邀请
organisation-invite-about = 持有链接的人即可加入，链接只显示一次。所有者须按账号指定，不能通过链接邀请。
organisation-invite-days = 有效天数
organisation-invite-uses = 可加入人数
organisation-invite-create = 生成链接
organisation-invitations-none = 没有待接受的邀请。
organisation-invitation-link = 链接
organisation-invitation-by = 邀请人
organisation-invitation-uses = 剩余名额
organisation-invitation-revoke = 撤回
organisation-done-invitation-revoked = 邀请已撤回。

# 配额。
organisation-quota-used = 使用情况
organisation-quota-bytes = 所有仓库的内容
organisation-quota-storage = 存储占用（相同的层只计一次）
organisation-quota-repositories = 仓库
organisation-quota-tags = 标签
organisation-quota-unlimited = 此处没有任何限制。
organisation-quota-no-limit = 不限
organisation-quota-full = 已用尽
organisation-quota-near = 即将用尽
organisation-quota-warn = 用量达到 { $n }% 后，推送时会收到提醒。
organisation-quota-strict = 每次推送前都会检查用量，不会超出配额。

# 审计日志。
organisation-audit-filter = 筛选
organisation-audit-show = 查看
organisation-audit-all = 全部
organisation-audit-when = 时间
organisation-audit-action = 操作
organisation-audit-actor = 操作者
organisation-audit-target = 对象
organisation-audit-what = 变更前后
organisation-audit-from = 开始日期
organisation-audit-to = 结束日期
organisation-audit-none = 没有符合条件的记录。

# 已删除的仓库。
organisation-deleted-about = 在所示日期之前可以恢复，之后内容将被彻底清除。
organisation-deleted-none = 没有已删除的仓库。
organisation-deleted-at = 删除时间
organisation-deleted-until = 可恢复至
organisation-restore = 恢复
organisation-restore-as = 恢复为
organisation-purge = 彻底清除
organisation-purge-about = 内容将立即清除，且无法恢复。
organisation-purge-do = 彻底清除
organisation-done-restored = 仓库已恢复。
organisation-done-purged = 仓库已彻底清除。
