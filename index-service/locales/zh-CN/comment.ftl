# 仓库评论。
comment-of = { $name } 的评论
comment-not-allowed = 本站未开启评论，只有仓库维护者能看到此页面。
comment-closed = 评论已关闭，只有仓库维护者能看到此页面。
comment-to-moderate = 等待您处理
comment-reasons = 举报理由：
comment-new = 发表评论
comment-text = 内容
comment-hint = 支持 Markdown，不显示图片。
comment-newcomers = 您的第一条评论需经审核后才会显示。
comment-write = 发表
comment-sign-in = 登录后发表评论
comment-all = 全部评论
comment-none = 还没有评论。
comment-rest = 更多回复
comment-answer = 回复
comment-answer-do = 发送回复
comment-edit = 编辑
comment-edited = 已编辑
comment-save = 保存
comment-report = 举报
comment-reason = 有什么问题？
comment-report-do = 提交举报
comment-reports =
    { $n ->
       *[other] { $n } 次举报
    }
comment-delete = 删除
comment-delete-text = 内容将永久删除，但会保留在讨论中的位置。
comment-delete-do = 删除评论
comment-is-deleted = 此评论已删除。
comment-is-locked = 此讨论已锁定。
comment-hide = 隐藏
comment-show = 显示
comment-lock = 锁定讨论
comment-unlock = 解锁讨论
comment-waiting = 等待审核
comment-hidden = 已隐藏
comment-done-written = 评论已发表。
comment-done-waits = 谢谢，评论经审核后即会显示。
comment-done-edited = 评论已修改。
comment-done-deleted = 评论已删除。
comment-done-reported = 谢谢，仓库维护者会进行处理。
comment-done-shown = 评论已显示。
comment-done-hidden = 评论已隐藏。
comment-done-locked = 讨论已锁定。
comment-done-unlocked = 讨论已重新开放。
