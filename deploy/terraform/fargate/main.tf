locals {
  # References: the gateway reads the secrets itself, and neither the console nor the state has them.
  environment = merge(
    {
      OUTCROP_LISTEN           = "0.0.0.0:8080"
      OUTCROP_REGION           = local.region
      OUTCROP_SHUTDOWN_TIMEOUT = "110s"
      # Longer than the load balancer's, which would send a request into a connection that is being closed.
      OUTCROP_IDLE_TIMEOUT    = "920s"
      OUTCROP_EMF             = "on"
      OUTCROP_EMF_NAMESPACE   = "Outcrop/${var.name}"
      OUTCROP_API_KEYS        = var.api_keys_secret
      OUTCROP_DATABASE        = var.database_secret == "" ? "none" : var.database_secret
      OUTCROP_SHARED_COUNTERS = var.redis_secret == "" ? "off" : var.redis_secret
    },
    # An empty list of keys would be refused.
    var.admin_keys_secret == "" ? {} : { OUTCROP_ADMIN_KEYS = var.admin_keys_secret },
    length(var.trusted_proxies) == 0 ? {} : { OUTCROP_TRUSTED_PROXIES = join(",", var.trusted_proxies) },
    var.default_model == "" ? {} : { OUTCROP_DEFAULT_MODEL = var.default_model },
    var.guardrail == null ? {} : {
      OUTCROP_GUARDRAIL_ID      = var.guardrail.id
      OUTCROP_GUARDRAIL_VERSION = var.guardrail.version
    },
    var.environment,
  )

  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  alarm_actions = compact([var.alarm_topic])
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
  # The log has the usage.
  skip_destroy = true
}

# What ECS itself does: fetch the image, write the log. It reads no secrets; the gateway does, by its own role.
resource "aws_iam_role" "execution" {
  name_prefix        = "${var.name}-run-"
  assume_role_policy = local.assumed_by_tasks
}

data "aws_iam_policy_document" "execution" {
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    resources = ["arn:${local.partition}:ecr:${local.region}:*:repository/*"]
  }

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "image-and-log"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

resource "aws_iam_role" "gateway" {
  name_prefix        = "${var.name}-"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_ecs_cluster" "this" {
  name = var.name
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.gateway.arn

  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }

  volume {
    name = "state"
  }

  container_definitions = jsonencode([{
    name                   = "outcrop"
    image                  = var.image
    essential              = true
    readonlyRootFilesystem = true
    portMappings           = [{ containerPort = 8080, protocol = "tcp" }]
    # Usage on its way to the database; it goes with the task.
    mountPoints = [{ sourceVolume = "state", containerPath = "/var/lib/outcrop", readOnly = false }]
    healthCheck = {
      command     = ["CMD", "/usr/local/bin/outcrop", "health"]
      interval    = 10
      timeout     = 6
      retries     = 3
      startPeriod = 15
    }
    # The most that Fargate allows. What is left of streams after the deregistration delay gets shutdown_timeout.
    stopTimeout = 120
    ulimits     = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    environment = [for name, value in local.environment : { name = name, value = value }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "outcrop"
        # A reader of the log that is slow must not make the gateway slow.
        mode            = "non-blocking"
        max-buffer-size = "8m"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name                              = var.name
  cluster                           = aws_ecs_cluster.this.id
  launch_type                       = "FARGATE"
  task_definition                   = aws_ecs_task_definition.this.arn
  desired_count                     = var.min_tasks
  health_check_grace_period_seconds = 60
  # New tasks are well before old ones go.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    assign_public_ip = false
    subnets          = var.task_subnet_ids
    security_groups  = [aws_security_group.task.id]
  }

  load_balancer {
    container_name   = "outcrop"
    container_port   = 8080
    target_group_arn = aws_lb_target_group.this.arn
  }

  lifecycle {
    # Scaling changes it.
    ignore_changes = [desired_count]
  }

  # The endpoints, where there are any: without them no task starts, and the circuit breaker gives up.
  depends_on = [
    aws_lb_listener.https, aws_iam_role_policy.gateway, aws_iam_role_policy.execution, aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
  ]
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks
}

resource "aws_appautoscaling_policy" "streams" {
  name               = "open-streams"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.streams_per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    # Each task tells its own once a minute, so the average is that of a task.
    customized_metric_specification {
      namespace   = "Outcrop/${var.name}"
      metric_name = "OpenStreams"
      statistic   = "Average"
    }
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "The gateway answers with 5xx."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 20
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name          = "${var.name}-unhealthy"
  alarm_description   = "A task isn't well."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}
