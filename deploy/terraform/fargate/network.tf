resource "aws_security_group" "load_balancer" {
  name_prefix = "${var.name}-lb-"
  description = "Clients reach the load balancer"
  vpc_id      = var.vpc_id

  dynamic "ingress" {
    # HTTP is redirected.
    for_each = [443, 80]

    content {
      protocol    = "tcp"
      from_port   = ingress.value
      to_port     = ingress.value
      cidr_blocks = var.client_cidrs
    }
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "task" {
  name_prefix = "${var.name}-task-"
  description = "The load balancer reaches the tasks. Let the database and Redis admit this group."
  vpc_id      = var.vpc_id

  ingress {
    protocol        = "tcp"
    from_port       = 8080
    to_port         = 8080
    security_groups = [aws_security_group.load_balancer.id]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "this" {
  name               = var.name
  load_balancer_type = "application"
  internal           = var.internal
  subnets            = var.load_balancer_subnet_ids
  security_groups    = [aws_security_group.load_balancer.id]
  # A whole answer may be silent for total_timeout, 15 minutes; streams get a comment each 15 s.
  idle_timeout               = 910
  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "this" {
  name        = var.name
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 8080
  # A task that goes serves its streams for so long before it is sent SIGTERM: longer than the longest.
  deregistration_delay          = 960
  load_balancing_algorithm_type = "least_outstanding_requests"

  # Not /readyz: an outage of Bedrock's would have ECS replace all tasks, and end their streams.
  health_check {
    path                = "/healthz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

# They tell more than clients should know.
resource "aws_lb_listener_rule" "private" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/readyz", "/metrics"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

locals {
  has_endpoints = length(var.endpoint_route_table_ids) > 0
  endpoints     = ["bedrock-runtime", "bedrock", "bedrock-agent-runtime", "secretsmanager", "logs", "ecr.api", "ecr.dkr"]
}

resource "aws_security_group" "endpoint" {
  count       = local.has_endpoints ? 1 : 0
  name_prefix = "${var.name}-endpoint-"
  description = "Tasks reach AWS by endpoints"
  vpc_id      = var.vpc_id

  ingress {
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    security_groups = [aws_security_group.task.id]
  }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.has_endpoints ? local.endpoints : [])

  vpc_id              = var.vpc_id
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  service_name        = "com.amazonaws.${local.region}.${each.value}"
  subnet_ids          = var.task_subnet_ids
  security_group_ids  = [aws_security_group.endpoint[0].id]
}

# The layers of images in ECR.
resource "aws_vpc_endpoint" "s3" {
  count             = local.has_endpoints ? 1 : 0
  vpc_id            = var.vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.s3"
  route_table_ids   = var.endpoint_route_table_ids
}
