//! Robots and access tokens of organisations: made and looked after by those who administer their namespace, and by the
//! machines that made them.

use serde_json::json;
use shared::secret::Secret;

use super::App;
use super::access_token::{DAY_MS, MAX_LIFE_DAYS};
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::organisation::may_administer;
use crate::domain::robot::{MAX_DEPTH, check_limits, may_delegate};
use crate::domain::{
    AllowedNetworks, AuditAction, Ceiling, CredentialSecret, Machine, NamespaceFacts, NamespaceName,
    NamespaceOwner, Principal, Right, Robot, RobotId, RobotName, SecretId, SecretOwner, TargetKind,
    TokenLabel,
};
use crate::store::robot::{self, NewRobot};
use crate::store::{Tx, namespace, organisation};

/// Most robots and organisation's access tokens of a namespace.
pub const MAX_ROBOTS: i64 = 1000;
/// Those that are read at once when robots that a robot made are looked for.
const BATCH: u32 = 200;

/// What a new robot, or access token of an organisation, may do, from where and for how long.
#[derive(Debug, Clone)]
pub struct RobotWish {
    /// Whose it is.
    pub namespace: NamespaceName,
    /// Its name; without one it is an access token of the namespace's organisation.
    pub name: Option<RobotName>,
    /// What people call it.
    pub label: TokenLabel,
    /// What it may reach at most.
    pub ceiling: Ceiling,
    /// Where it may be used.
    pub networks: AllowedNetworks,
    /// How long it is valid, 1 to [`MAX_LIFE_DAYS`] days; a robot without a number until it is deleted.
    pub life_days: Option<u16>,
}

/// What is to be different of a robot; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct RobotChange {
    /// What people call it.
    pub label: Option<TokenLabel>,
    /// What it may reach at most.
    pub ceiling: Option<Ceiling>,
    /// Where it may be used.
    pub networks: Option<AllowedNetworks>,
    /// Whether it is suspended.
    pub is_suspended: Option<bool>,
}

/// Robots, or what is the same without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineKind {
    /// Robots.
    Robot,
    /// Access tokens of organisations.
    OrganisationToken,
}

/// A robot with what is known of its secrets.
#[derive(Debug)]
pub struct RobotDetails {
    /// The robot.
    pub robot: Robot,
    /// Its secrets, the newest first.
    pub secrets: Vec<CredentialSecret>,
}

impl App {
    /// A robot as a decision sees it, with all that are above it.
    pub(super) async fn machine(&self, tx: &mut Tx, robot: &Robot) -> Result<Machine, AppError> {
        let now = self.clock.now_ms();
        let mut ceilings = vec![robot.ceiling.clone()];
        let mut is_disabled = !robot.is_active(now);
        let mut above = robot.parent_id;
        while let Some(parent_id) = above {
            let parent = robot::find_robot_by_id(tx, parent_id)
                .await?
                .filter(|parent| parent.namespace_id == robot.namespace_id && ceilings.len() <= MAX_DEPTH);
            let Some(parent) = parent else {
                is_disabled = true;
                break;
            };
            is_disabled |= !parent.is_active(now);
            ceilings.push(parent.ceiling);
            above = parent.parent_id;
        }
        Ok(Machine {
            namespace_id: robot.namespace_id,
            robot_id: robot.name.is_some().then_some(robot.robot_id),
            is_disabled,
            ceilings,
            ceiling: Ceiling::Full,
        })
    }

    /// Makes a robot, or an access token of an organisation, and returns it with its secret, which is not kept.
    pub async fn create_robot(
        &self,
        caller: &Caller,
        wish: &RobotWish,
    ) -> Result<(RobotDetails, Secret<String>), AppError> {
        let now = self.clock.now_ms();
        if wish
            .life_days
            .is_some_and(|days| !(1..=MAX_LIFE_DAYS).contains(&days))
        {
            return Err(AppError::Invalid(format!(
                "a robot or access token is valid for 1 to {MAX_LIFE_DAYS} days"
            )));
        }
        let mut tx = self.store.write().await?;
        let namespace = namespace::find_namespace(&mut tx, &wish.namespace)
            .await?
            .ok_or_else(|| no_namespace(&wish.namespace))?;
        if !self.looks_after(&mut tx, caller, &namespace).await? {
            return Err(no_namespace(&wish.namespace));
        }
        check_limits(&wish.ceiling, &namespace.name).map_err(|error| AppError::Invalid(error.to_string()))?;
        check_delegation(caller, &wish.ceiling)?;
        if wish.name.is_none() && !matches!(namespace.owner, NamespaceOwner::Organisation(_)) {
            return Err(AppError::Invalid(
                "only organisations have access tokens of their own; make a robot instead".to_owned(),
            ));
        }
        let parent_id = caller.robot().map(|robot| robot.robot_id);
        if let Principal::Machine(machine) = caller.principal()
            && machine.ceilings.len() >= MAX_DEPTH
        {
            return Err(AppError::Forbidden("robots are made at most five deep"));
        }
        namespace::lock_namespace(&mut tx, namespace.namespace_id).await?;
        if robot::count_robots(&mut tx, namespace.namespace_id).await? >= MAX_ROBOTS {
            return Err(AppError::Conflict(format!(
                "a namespace has at most {MAX_ROBOTS} robots and access tokens: delete some first"
            )));
        }
        let new = NewRobot {
            robot_id: self.new_id(RobotId::new),
            namespace_id: namespace.namespace_id,
            name: wish.name.as_ref(),
            parent_id,
            label: &wish.label,
            ceiling: &wish.ceiling,
            networks: &wish.networks,
            created_by: caller.principal().account_id(),
            expires_at: wish.life_days.map(|days| now + i64::from(days) * DAY_MS),
        };
        robot::create_robot(&mut tx, &new, now).await?;
        let made = robot::find_robot_by_id(&mut tx, new.robot_id)
            .await?
            .ok_or_else(not_found)?;
        let owner = SecretOwner::Robot(new.robot_id);
        let secret = self.add_secret(&mut tx, owner, made.secret_kind(), now).await?;
        let secrets = self.secrets_of(&mut tx, owner).await?;
        let change = change_of(AuditAction::RobotCreate, &made, &namespace).after(state_of(&made));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        let details = RobotDetails { robot: made, secrets };
        Ok((details, secret))
    }

    /// At most `limit` robots of a namespace, or access tokens of its organisation, that whoever asks looks after: all of
    /// them, or those that a machine made itself. The oldest first, those behind `after`.
    pub async fn list_robots(
        &self,
        caller: &Caller,
        kind: MachineKind,
        namespace: &NamespaceName,
        after: i64,
        limit: u32,
    ) -> Result<Vec<RobotDetails>, AppError> {
        let mut tx = self.store.read().await?;
        let namespace = namespace::find_namespace(&mut tx, namespace)
            .await?
            .ok_or_else(|| no_namespace(namespace))?;
        if !self.looks_after(&mut tx, caller, &namespace).await? {
            return Err(no_namespace(&namespace.name));
        }
        let is_robot = kind == MachineKind::Robot;
        let robots = match caller.robot() {
            Some(own) => robot::list_children(&mut tx, own.robot_id, after, limit)
                .await?
                .into_iter()
                .filter(|robot| robot.name.is_some() == is_robot)
                .collect(),
            None => robot::list_robots(&mut tx, namespace.namespace_id, is_robot, after, limit).await?,
        };
        let mut listed = Vec::with_capacity(robots.len());
        for robot in robots {
            let secrets = self
                .secrets_of(&mut tx, SecretOwner::Robot(robot.robot_id))
                .await?;
            listed.push(RobotDetails { robot, secrets });
        }
        Ok(listed)
    }

    /// One robot that whoever asks looks after.
    pub async fn find_robot(
        &self,
        caller: &Caller,
        kind: MachineKind,
        robot_id: RobotId,
    ) -> Result<RobotDetails, AppError> {
        let mut tx = self.store.read().await?;
        let (found, _) = self.looked_after(&mut tx, caller, kind, robot_id).await?;
        Ok(found)
    }

    /// Changes a robot that whoever asks looks after.
    pub async fn change_robot(
        &self,
        caller: &Caller,
        kind: MachineKind,
        robot_id: RobotId,
        change: RobotChange,
    ) -> Result<RobotDetails, AppError> {
        let mut tx = self.store.write().await?;
        let (mut found, namespace) = self.looked_after(&mut tx, caller, kind, robot_id).await?;
        let before = found.robot.clone();
        let robot = &mut found.robot;
        if let Some(ceiling) = change.ceiling {
            check_limits(&ceiling, &robot.namespace).map_err(|error| AppError::Invalid(error.to_string()))?;
            check_delegation(caller, &ceiling)?;
            robot.ceiling = ceiling;
        }
        if let Some(label) = change.label {
            robot.label = label;
        }
        if let Some(networks) = change.networks {
            robot.networks = networks;
        }
        match change.is_suspended {
            Some(true) => robot.suspended_at = robot.suspended_at.or(Some(self.clock.now_ms())),
            Some(false) => robot.suspended_at = None,
            None => {}
        }
        if *robot != before {
            robot::change_robot(&mut tx, robot).await?;
            let action = match (before.suspended_at, robot.suspended_at) {
                (None, Some(_)) => AuditAction::RobotSuspend,
                (Some(_), None) => AuditAction::RobotResume,
                _ => AuditAction::RobotUpdate,
            };
            let change = change_of(action, robot, &namespace)
                .before(state_of(&before))
                .after(state_of(robot));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        tx.commit().await?;
        Ok(found)
    }

    /// Deletes a robot that whoever asks looks after, and all that it made.
    pub async fn delete_robot(
        &self,
        caller: &Caller,
        kind: MachineKind,
        robot_id: RobotId,
    ) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let (found, namespace) = self.looked_after(&mut tx, caller, kind, robot_id).await?;
        let mut doomed = vec![robot_id];
        while let Some(robot_id) = doomed.pop() {
            let mut after = i64::MIN;
            loop {
                let children = robot::list_children(&mut tx, robot_id, after, BATCH).await?;
                let Some(last) = children.last() else { break };
                after = last.robot_id.as_i64();
                doomed.extend(children.iter().map(|child| child.robot_id));
            }
            robot::delete_robot(&mut tx, robot_id, now).await?;
        }
        let change = change_of(AuditAction::RobotDelete, &found.robot, &namespace);
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    /// Makes another secret for a robot; the one before lives on for `overlap_hours`. A robot may do so for itself.
    pub async fn rotate_robot(
        &self,
        caller: &Caller,
        kind: MachineKind,
        robot_id: RobotId,
        overlap_hours: u16,
    ) -> Result<(RobotDetails, Secret<String>), AppError> {
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let (mut found, namespace) = self
            .looked_after_or_itself(&mut tx, caller, kind, robot_id)
            .await?;
        if !found.robot.is_live(now) {
            return Err(AppError::Conflict("it has ended: make a new one".to_owned()));
        }
        namespace::lock_namespace(&mut tx, found.robot.namespace_id).await?;
        let owner = SecretOwner::Robot(robot_id);
        let kind = found.robot.secret_kind();
        let secret = self
            .replace_secret(&mut tx, owner, kind, overlap_hours, now)
            .await?;
        found.secrets = self.secrets_of(&mut tx, owner).await?;
        let change = change_of(AuditAction::RobotRotate, &found.robot, &namespace)
            .after(json!({ "overlap_hours": overlap_hours }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok((found, secret))
    }

    /// Ends one secret of a robot. A robot may do so for itself.
    pub async fn end_robot_secret(
        &self,
        caller: &Caller,
        kind: MachineKind,
        robot_id: RobotId,
        secret_id: SecretId,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let (found, namespace) = self
            .looked_after_or_itself(&mut tx, caller, kind, robot_id)
            .await?;
        let owner = SecretOwner::Robot(robot_id);
        self.end_own_secret(&mut tx, owner, secret_id, self.clock.now_ms())
            .await?;
        let change = change_of(AuditAction::RobotUpdate, &found.robot, &namespace)
            .after(json!({ "ended_secret": secret_id.to_string() }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    async fn looked_after_or_itself(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        kind: MachineKind,
        robot_id: RobotId,
    ) -> Result<(RobotDetails, NamespaceFacts), AppError> {
        match caller.robot() {
            Some(own) if own.robot_id == robot_id && kind == kind_of(own) => {
                self.details(tx, own.clone()).await
            }
            _ => self.looked_after(tx, caller, kind, robot_id).await,
        }
    }

    /// A robot that whoever asks may change: of a namespace that an account administers, or made by a machine, or by one
    /// that it made.
    async fn looked_after(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        kind: MachineKind,
        robot_id: RobotId,
    ) -> Result<(RobotDetails, NamespaceFacts), AppError> {
        let robot = robot::find_robot_by_id(tx, robot_id)
            .await?
            .filter(|robot| robot.deleted_at.is_none() && kind_of(robot) == kind)
            .ok_or_else(not_found)?;
        let found = self.details(tx, robot).await?;
        if !self.looks_after(tx, caller, &found.1).await? {
            return Err(not_found());
        }
        if let Some(own) = caller.robot() {
            self.check_descent(tx, own, &found.0.robot).await?;
            check_delegation(caller, &found.0.robot.ceiling).map_err(|_| not_found())?;
        }
        Ok(found)
    }

    async fn details(&self, tx: &mut Tx, robot: Robot) -> Result<(RobotDetails, NamespaceFacts), AppError> {
        let namespace = namespace::find_namespace_by_id(tx, robot.namespace_id)
            .await?
            .ok_or_else(not_found)?;
        let secrets = self.secrets_of(tx, SecretOwner::Robot(robot.robot_id)).await?;
        Ok((RobotDetails { robot, secrets }, namespace))
    }

    /// Whether a robot was made by another, or by one that the other made.
    async fn check_descent(&self, tx: &mut Tx, maker: &Robot, robot: &Robot) -> Result<(), AppError> {
        let mut above = robot.parent_id;
        for _ in 0..MAX_DEPTH {
            let Some(parent_id) = above else { break };
            if parent_id == maker.robot_id {
                return Ok(());
            }
            above = robot::find_robot_by_id(tx, parent_id)
                .await?
                .and_then(|parent| parent.parent_id);
        }
        Err(not_found())
    }

    /// Whether whoever asks may have robots in this namespace: an account that administers it through its credential, or a
    /// machine that belongs to it. What machine may make which robot is [`may_delegate`]'s to say.
    async fn looks_after(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        namespace: &NamespaceFacts,
    ) -> Result<bool, AppError> {
        let account = match caller.principal() {
            Principal::Anonymous => return Ok(false),
            Principal::Machine(machine) => {
                return Ok(!machine.is_disabled && machine.namespace_id == namespace.namespace_id);
            }
            Principal::Account(account) => account,
        };
        let through = account.ceiling.namespace_rights(namespace.name.as_str());
        if account.is_disabled || !through.contains(Right::Administer) {
            return Ok(false);
        }
        Ok(match namespace.owner {
            NamespaceOwner::Account(owner) => owner == account.account_id,
            NamespaceOwner::Administrators => account.is_admin,
            NamespaceOwner::Organisation(organisation_id) => {
                let role = organisation::find_membership(tx, organisation_id, account.account_id)
                    .await?
                    .filter(|membership| membership.is_live(self.clock.now_ms()))
                    .map(|membership| membership.role);
                may_administer(role, through)
            }
        })
    }
}

/// What a machine makes, or gives to another, it must hold itself; so must the credential of an account.
fn check_delegation(caller: &Caller, wanted: &Ceiling) -> Result<(), AppError> {
    let may = match caller.principal() {
        Principal::Anonymous => false,
        Principal::Account(account) => wanted.is_within(&account.ceiling),
        Principal::Machine(machine) => {
            may_delegate(&machine.ceilings, wanted) && wanted.is_within(&machine.ceiling)
        }
    };
    if may {
        return Ok(());
    }
    Err(AppError::Forbidden(
        "a robot gets no more than its maker's credential holds; a robot makes others only where it may administer",
    ))
}

fn change_of(action: AuditAction, robot: &Robot, namespace: &NamespaceFacts) -> Change {
    let name = match robot.name {
        Some(_) => robot.username(),
        None => format!("{} ({})", robot.namespace, robot.label),
    };
    Change::new(action, TargetKind::Robot, &name)
        .id(robot.robot_id.as_i64())
        .within(namespace)
}

fn state_of(robot: &Robot) -> serde_json::Value {
    json!({
        "label": robot.label.as_str(), "limits": robot.ceiling.to_text(), "networks": robot.networks.to_text(),
    })
}

fn kind_of(robot: &Robot) -> MachineKind {
    match robot.name {
        Some(_) => MachineKind::Robot,
        None => MachineKind::OrganisationToken,
    }
}

fn no_namespace(name: &NamespaceName) -> AppError {
    AppError::NotFound(format!("there is no namespace {name} that you administer"))
}

fn not_found() -> AppError {
    AppError::NotFound("there is no such robot or access token".to_owned())
}
